use super::*;

fn parsed(words: &str) -> Task {
    let words = ["cargo xtask"].into_iter().chain(words.split_whitespace());
    Task::try_of(words).unwrap()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn the_definition_is_sound() {
    command().debug_assert();
}

#[test]
fn passes_options_on_with_and_without_dashes_before_them() {
    let options = owned(&["--listen", "127.0.0.1:1", "--log", "warn"]);
    for words in [
        "run -- --listen 127.0.0.1:1 --log warn",
        "run --listen 127.0.0.1:1 --log warn",
    ] {
        assert_eq!(
            parsed(words),
            Task::Run {
                options: options.clone()
            }
        );
    }
    assert_eq!(parsed("run"), Task::Run { options: vec![] });
    let options = owned(&["soak", "--minutes", "5"]);
    assert_eq!(parsed("stress soak --minutes 5"), Task::Stress { options });
    let options = owned(&["fleet", "kill"]);
    assert_eq!(parsed("stress fleet kill"), Task::Stress { options });
    let (name, options) = ("server".to_owned(), owned(&["12 MP", "--json"]));
    let words = ["cargo xtask", "bench", "server", "12 MP", "--json"];
    assert_eq!(Task::try_of(words).unwrap(), Task::Bench { name, options });
}

#[test]
fn tries_the_mutants_of_a_crate() {
    let (name, options) = ("jpeg".to_owned(), owned(&["--shard", "1/8"]));
    let parsed = parsed("mutants jpeg --shard 1/8");
    assert_eq!(parsed, Task::Mutants { name, options });
}

#[test]
fn fuzzes_one_target_or_all_any_number_of_times() {
    let runs = fuzz::RUNS_DEFAULT.parse().unwrap();
    assert_eq!(parsed("fuzz"), Task::Fuzz { target: None, runs });
    let target = Some("jpeg".to_owned());
    assert_eq!(
        parsed("fuzz jpeg --runs 7"),
        Task::Fuzz {
            target: target.clone(),
            runs: 7
        }
    );
    assert_eq!(parsed("fuzz --runs 7 jpeg"), Task::Fuzz { target, runs: 7 });
}

#[test]
fn packages_and_checks_some_targets_or_all() {
    let dist = |triples: &[&str], check| Task::Dist {
        triples: owned(triples),
        check,
    };
    assert_eq!(parsed("dist"), dist(&[], false));
    let triple = dist::TRIPLES[1];
    let words = format!("dist --check {triple}");
    assert_eq!(parsed(&words), dist(&[triple], true));
}

#[test]
fn deploys_nothing() {
    assert_eq!(parsed("deploy --check"), Task::Deploy);
}

#[test]
fn rejects_what_names_no_task() {
    for words in [
        "",
        "runn",
        "mutants",
        "mutants web",
        "fuzz jepg",
        "fuzz --runs",
        "fuzz --runs many",
        "fuzz --runs 0",
        "weights",
        "weights lite9",
        "bench",
        "bench nothing",
        "test now",
        "deploy",
        "dist x86_64-unknown-linux-gnu",
    ] {
        let words = ["cargo xtask"].into_iter().chain(words.split_whitespace());
        assert!(Task::try_of(words).is_err());
    }
}

#[test]
fn help_names_every_command() {
    let help = command().render_help().to_string();
    for command in command().get_subcommands() {
        assert!(help.contains(command.get_name()));
        assert!(command.get_about().is_some(), "{}", command.get_name());
    }
}
