use std::process::Command;

use super::*;

#[test]
fn a_step_gives_what_a_program_prints_on_both_streams() {
    let finished = Steps::show(&["one"], |steps| {
        steps.run("one", |step| {
            step.listen(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]))
        })
    })
    .unwrap();
    let mut lines = finished.lines;
    lines.sort();
    assert_eq!(
        (finished.success, lines),
        (false, vec!["err".to_owned(), "out".to_owned()])
    );
}

#[test]
fn a_failed_program_names_itself_and_its_step() {
    let error = Steps::show(&["one", "two"], |steps| {
        steps.run("two", |step| step.run(&mut Command::new("false")))
    })
    .unwrap_err();
    assert_eq!(format!("{error:#}"), "two: `false` in . failed");
}

#[test]
fn steps_run_at_once_and_each_says_what_it_does() {
    Steps::show(&["one", "two"], |steps| {
        steps.run("one", |one| {
            one.doing("syn (1 of 2)");
            steps.run("two", |_| {
                let status = steps.status(&steps.state().running);
                assert_eq!(status, "[ 0:00] one 0:00: syn (1 of 2) | two 0:00");
                assert_eq!(steps.head("two"), "[2/2  0:00]");
                Ok(())
            })
        })
    })
    .unwrap();
}
