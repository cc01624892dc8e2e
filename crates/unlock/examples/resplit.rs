//! Combines shares that another program made and shares the secret anew, to show that both speak the same scheme.
//!
//! Reads one share a line in hexadecimal digits, `y bytes | x byte`, from standard input; the argument is the
//! threshold. Writes as many shares as it read. With three of the five shares of an OpenBao server that is sealed,
//! what this program writes unseals it. For throwaway servers only: the shares are printed.

use data_encoding::HEXLOWER;
use std::error::Error;
use std::io::{BufRead, Write};
use strongroom_ambient::Ambient;
use strongroom_secret::SecretBytes;
use strongroom_unlock::shamir::{Share, combine, split};

fn main() -> Result<(), Box<dyn Error>> {
    let threshold = std::env::args().nth(1).ok_or("the threshold is missing")?.parse()?;
    let shares = std::io::stdin().lock().lines().map(|line| share(&line?)).collect::<Result<Vec<_>, _>>()?;
    let count = u8::try_from(shares.len())?;
    let made = combine(&shares)?.expose(|secret| split(&Ambient::system(), secret, count, threshold))?;
    let mut out = std::io::stdout().lock();
    for share in made {
        share.y.expose(|y| writeln!(out, "{}{:02x}", HEXLOWER.encode(y), share.x))?;
    }
    Ok(())
}

fn share(line: &str) -> Result<Share, Box<dyn Error>> {
    let bytes = HEXLOWER.decode(line.trim().as_bytes())?;
    let (x, y) = bytes.split_last().ok_or("an empty share")?;
    Ok(Share { x: *x, y: SecretBytes::new(y.to_vec()) })
}
