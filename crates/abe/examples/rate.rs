//! What the operations cost, beside the group operations that they cannot do without.
//!
//! `cargo run --release -p strongroom-abe --example rate`. Times are the thread's processor time, medians.

#![expect(clippy::print_stdout, reason = "a program that prints a table")]
#![expect(unsafe_code, reason = "the floor is measured on blst's own functions")]

use blst::{
    blst_fp12, blst_fp12_cyclotomic_sqr, blst_p1, blst_p1_affine_generator, blst_p1_generator, blst_p1_mult,
    blst_p2, blst_p2_affine_generator, blst_p2_generator, blst_p2_mult,
};
use rustix::time::{ClockId, clock_gettime};
use strongroom_abe::{
    AttributeSet, Header, MasterKey, MemberKey, Policy, RightKeys, RightSecrets, rights_of,
};
use strongroom_ambient::Ambient;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let floor = Floor::measure();
    println!("blst: G1 multiplication {:.1} us, G2 {:.1} us", floor.g1 * 1e3, floor.g2 * 1e3);
    println!("      six pairings {:.3} ms, target exponentiation {:.3} ms", floor.pairings, floor.target);
    println!();
    println!("and of n attributes, ms          n=5     n=10     n=50");
    for row in rows(&floor)? {
        println!("{:<28}{:>8.2} {:>8.2} {:>8.2}", row.0, row.1[0], row.1[1], row.1[2]);
    }
    Ok(())
}

type Row = (&'static str, [f64; 3]);

fn rows(floor: &Floor) -> Outcome<Vec<Row>> {
    let mut columns = Vec::new();
    for count in [5, 10, 50] {
        columns.push(column(count, floor)?);
    }
    let rows = columns.first().map_or(0, Vec::len);
    let row = |at: usize| {
        let value =
            |column: usize| columns.get(column).and_then(|column| column.get(at)).map_or(0.0, |cell| cell.1);
        let name = columns.first().and_then(|column| column.get(at)).map_or("", |cell| cell.0);
        (name, [value(0), value(1), value(2)])
    };
    Ok((0..rows).map(row).collect())
}

/// What is measured for one number of attributes.
fn column(count: usize, floor: &Floor) -> Outcome<Vec<(&'static str, f64)>> {
    let ambient = Ambient::system();
    let master = MasterKey::generate(&ambient, 1)?;
    let names: Vec<String> = (0..count).map(|at| format!("ATTRIBUTE{at}")).collect();
    let attributes = AttributeSet::parse(names.iter().map(String::as_str))?;
    let policy = Policy::parse(&names.join(" and "))?;
    let public = master.public();
    let member = master.member_key(&ambient, &attributes);
    let prepared = public.prepare(&policy)?;
    let tables = prepared.with_tables();
    let header = Header::parse(&prepared.encapsulate(&ambient, b"").0.to_bytes())?;
    let rights = rights_of(&policy)?;
    let (keys, secrets) = (RightKeys::of(&master, &rights), master.rights_for(&attributes, &rights));
    let both = tables.encapsulate_with_rights(&ambient, &keys, b"")?.0;
    let none = RightSecrets::none();
    let n = f64::from(u32::try_from(count)?);
    let sealing = 6.0 * n * floor.g1 + 3.0 * floor.g2 + 2.0 * floor.target;
    Ok(vec![
        ("member key", median(|| master.member_key(&ambient, &attributes))),
        ("member key read", {
            let bytes = member.to_bytes();
            median(|| MemberKey::from_bytes(&bytes))
        }),
        ("floor of encapsulation", sealing),
        ("encapsulation, warm", median(|| public.encapsulate(&ambient, &policy, b""))),
        ("  with tables", median(|| tables.encapsulate(&ambient, b""))),
        ("  with tables and rights", median(|| tables.encapsulate_with_rights(&ambient, &keys, b""))),
        ("floor of opening with check", sealing + floor.pairings),
        ("decapsulation, warm", median(|| public.decapsulate(&member, &none, &header, b""))),
        ("  with tables", median(|| tables.decapsulate(&member, &none, &header, b""))),
        ("  with tables and rights", median(|| tables.decapsulate(&member, &secrets, &both, b""))),
        ("preparing", median(|| public.prepare(&policy))),
        ("making tables", median(|| prepared.with_tables())),
    ])
}

/// Milliseconds of `blst`'s own functions.
struct Floor {
    g1: f64,
    g2: f64,
    target: f64,
    pairings: f64,
}

impl Floor {
    fn measure() -> Self {
        let scalar = [0x5a; 32];
        // SAFETY: the functions return addresses of constants
        let (g1, g2, p, q) = unsafe {
            (
                *blst_p1_generator(),
                *blst_p2_generator(),
                *blst_p1_affine_generator(),
                *blst_p2_affine_generator(),
            )
        };
        let element = blst_fp12::miller_loop(&q, &p).final_exp();
        Self {
            g1: median(|| {
                let mut out = blst_p1::default();
                // SAFETY: 255 bits lie within the scalar's 32 bytes
                unsafe { blst_p1_mult(&raw mut out, &raw const g1, scalar.as_ptr(), 255) };
                out
            }),
            g2: median(|| {
                let mut out = blst_p2::default();
                // SAFETY: 255 bits lie within the scalar's 32 bytes
                unsafe { blst_p2_mult(&raw mut out, &raw const g2, scalar.as_ptr(), 255) };
                out
            }),
            target: median(|| power(&element, &scalar)),
            pairings: median(|| blst_fp12::miller_loop_n(&[q; 6], &[p; 6]).final_exp()),
        }
    }
}

/// Squaring and multiplying, as wrappers of `blst` raise target elements.
fn power(element: &blst_fp12, scalar: &[u8; 32]) -> blst_fp12 {
    let bits = (0..255_usize).rev().map(|at| scalar.get(at / 8).copied().unwrap_or_default() >> (at % 8) & 1);
    bits.fold(blst_fp12::default(), |power, bit| {
        let mut square = blst_fp12::default();
        // SAFETY: both are whole values
        unsafe { blst_fp12_cyclotomic_sqr(&raw mut square, &raw const power) };
        if bit == 1 { square * *element } else { square }
    })
}

/// The median of the thread's processor time, in milliseconds, over about a third of a second.
fn median<T>(mut run: impl FnMut() -> T) -> f64 {
    std::hint::black_box(run());
    let (mut times, mut all) = (Vec::new(), 0.0);
    while all < 300.0 && times.len() < 2000 || times.len() < 5 {
        let before = processor_ms();
        std::hint::black_box(run());
        let time = processor_ms() - before;
        all += time;
        times.push(time);
    }
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "processor time of a short program")]
fn processor_ms() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
