//! Moving in from a Convection Secrets Manager.
//!
//! Its directory is read whole and opened whole, and compared with the server, before anything is written. What is there
//! already is not written again, so that the same command goes on where an interrupted one stopped; what is there and
//! not the same is a conflict, and ends it. In the end every secret is read back and compared.

mod configuration;
mod folder;
mod known;
mod people;
mod report;
mod secrets;
mod steps;

use super::Session;
use crate::args::ConvectionArgs;
use crate::error::{CliError, MovingError};
use std::path::Path;
use strongroom_convection::fernet::FernetKey;
use strongroom_convection::moving::{Kind, Plan, Renames, Wishes};
use strongroom_convection::storage::Opening;

pub(super) use configuration::print as configuration;

/// Brings everything over.
pub(super) async fn run(session: &Session, args: &ConvectionArgs) -> Result<(), CliError> {
    let (Some(dir), Some(key)) = (&args.dir, &args.unlock_key_file) else { return Ok(()) };
    let (opened, plan) = planned(args, dir, key)?;
    let mut report = report::Report::new(&opened, &plan);
    let known = known::Known::ask(session).await?;
    let conflicts = known.compare(session, args, &plan, &mut report).await?;
    if args.dry_run {
        report.write(args)?;
        report.show(session, true)?;
        return blocked(&plan, conflicts);
    }
    if let Err(error) = blocked(&plan, conflicts) {
        report.write(args)?;
        report.show(session, true)?;
        return Err(error);
    }
    let done = steps::take(session, args, &plan, &known, &mut report).await;
    report.write(args)?;
    report.show(session, false)?;
    done
}

/// What keeps all of it from being written.
fn blocked(plan: &Plan, conflicts: usize) -> Result<(), CliError> {
    let values = plan.secret_faults().count();
    let fault = if !plan.refused.is_empty() {
        MovingError::Names(plan.refused.len())
    } else if values > 0 {
        MovingError::Values(values)
    } else if !plan.lost_denies.is_empty() {
        MovingError::Denies(plan.lost_denies.clone())
    } else if conflicts > 0 {
        MovingError::Conflicts(conflicts)
    } else {
        return Ok(());
    };
    Err(fault.into())
}

/// Reads and opens everything.
fn planned(args: &ConvectionArgs, dir: &Path, key: &Path) -> Result<(report::Source, Plan), CliError> {
    let text = super::keys::one_key(key)?;
    let key = text.expose(FernetKey::parse).map_err(MovingError::UnlockKey)?;
    let folder = folder::read(dir)?;
    let leave_out: Vec<(Option<Kind>, &str)> = args.leave_out.iter().map(|text| Kind::split(text)).collect();
    let stores = leave_out.iter().filter(|(kind, _)| *kind == Some(Kind::Store));
    let how = Opening {
        map: args.map.iter().cloned().collect(),
        leave_out: stores.map(|(_, name)| (*name).to_owned()).collect(),
    };
    let wrong = |faults| MovingError::Storage { dir: dir.to_owned(), faults };
    let mut opened = folder.open(&key, &how).map_err(|fault| wrong(vec![fault]))?;
    if !opened.faults.is_empty() {
        return Err(wrong(std::mem::take(&mut opened.faults)).into());
    }
    let mut wishes = Wishes { with_root: args.with_root, ..Wishes::default() };
    wishes.renames = renames(args);
    wishes.leave_out =
        leave_out.iter().filter_map(|(kind, name)| Some(((*kind)?, (*name).to_owned()))).collect();
    wishes.as_generic = args.as_generic.iter().cloned().collect();
    let known = |name: &String| opened.stores.iter().any(|store| store.name == *name);
    let stray = args.map.iter().map(|(store, _)| store).chain(&args.as_generic).find(|name| !known(name));
    if let Some(name) = stray {
        return Err(MovingError::NothingSo(name.clone()).into());
    }
    let source = report::Source::of(&opened);
    let plan = Plan::of(opened, &wishes);
    match wishes.renames.unused().pop() {
        Some(unused) => Err(MovingError::NothingSo(unused).into()),
        None => Ok((source, plan)),
    }
}

fn renames(args: &ConvectionArgs) -> Renames {
    let mut renames = Renames::new(args.rename_as_proposed);
    // the parser lets nothing pass that is no renaming
    args.rename.iter().for_each(|text| renames.add(text).unwrap_or_default());
    renames
}
