//! Completions in real shells, manual pages under real readers. Bash is everywhere; what is missing is said, not hidden.

use crate::world::World;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a program of the system; nothing if it is not there.
fn tool(program: &str, args: &[&str], home: &Path) -> Option<(bool, String)> {
    let mut command = Command::new(program);
    command.args(args).env("HOME", home).env("TERM", "dumb").stdin(Stdio::null());
    let Ok(output) = command.output() else {
        eprintln!("not checked: there is no {program} here");
        return None;
    };
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

fn script(world: &World, shell: &str) -> String {
    let outcome = world.run(&["completions", shell]);
    assert_eq!(outcome.code(), 0, "{}", outcome.err());
    world.file(&format!("complete.{shell}"), outcome.out()).to_str().unwrap().to_owned()
}

#[test]
fn bash_completes_commands_and_options() {
    let world = World::alone();
    let file = script(&world, "bash");
    let complete = |words: &str, last: usize| {
        let ask = format!(
            "source {file}; COMP_WORDS=({words}); COMP_CWORD={last}; _strongroom strongroom \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; echo ${{COMPREPLY[@]}}"
        );
        let (good, said) = tool("bash", &["--norc", "-c", &ask], world.home()).unwrap();
        assert!(good, "{said}");
        said.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("strongroom compl", 1), ["completions"]);
    assert_eq!(complete("strongroom secret imp", 2), ["import"]);
    assert!(complete("strongroom secret import --", 3).contains(&"--dry-run".to_owned()));
    assert_eq!(complete("strongroom secret import --on-conflict sk", 4), ["skip"]);
}

#[test]
fn zsh_and_fish_take_their_scripts() {
    let world = World::alone();
    let zsh = script(&world, "zsh");
    if let Some((good, said)) = tool("zsh", &["-f", "-n", &zsh], world.home()) {
        assert!(good, "{said}");
        let load = format!(
            "autoload -Uz compinit; compinit -u -d {0}/dump; source {zsh}; print -r -- $_comps[strongroom]",
            world.home().display()
        );
        let (_, said) = tool("zsh", &["-f", "-c", &load], world.home()).unwrap();
        assert_eq!(said.trim(), "_strongroom");
    }
    let fish = script(&world, "fish");
    let ask =
        format!("source {fish}; complete -C 'strongroom secret imp'; complete -C 'strongroom exec --ma'");
    if let Some((good, said)) = tool("fish", &["--no-config", "-c", &ask], world.home()) {
        assert!(good && said.contains("import\t") && said.contains("--mask\t"), "{said}");
    }
}

#[test]
fn every_command_has_a_page_that_readers_take() {
    let world = World::alone();
    let folder = world.home().join("man/man1");
    let folder = folder.to_str().unwrap();
    let outcome = world.run(&["man", folder]);
    assert_eq!(outcome.code(), 0, "{}", outcome.err());
    let pages: Vec<_> = std::fs::read_dir(folder).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(outcome.out().starts_with(&format!("Wrote {} pages", pages.len())), "{}", outcome.out());
    for name in ["strongroom.1", "strongroom-exec.1", "strongroom-secret-import.1"] {
        assert!(pages.iter().any(|page| page.file_name().unwrap() == name), "{name}");
    }
    for page in &pages {
        let page = page.to_str().unwrap();
        let text = std::fs::read_to_string(page).unwrap();
        assert!(text.contains(".SH NAME") && !text.contains('\u{1b}'), "{page}");
        if let Some((good, said)) = tool("mandoc", &["-T", "lint", "-W", "error", page], world.home()) {
            assert!(good, "{page}: {said}");
        }
    }
    let page = format!("{folder}/strongroom-exec.1");
    if let Some((good, said)) = tool("man", &["-l", &page], world.home()) {
        // a minimised system has a `man` that only says so
        assert!(good && (said.contains("--mask") || said.contains("minimized")), "{said}");
    }
}
