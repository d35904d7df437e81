//! Building ahead: what later steps need, while the tests of this one run and mostly wait.

use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use crate::print;

/// Builds that run one after the other, and get the processor only where nobody else wants it.
pub(crate) struct Ahead(Option<JoinHandle<()>>);

impl Ahead {
    /// Starts them. None of them may write into the folders that the step itself builds into: cargo lets one at a time.
    ///
    /// What fails here is built once more by the step that needs it, which then shows why.
    pub(crate) fn start(builds: Vec<Command>) -> Self {
        Self(Some(thread::spawn(|| {
            for build in builds {
                let mut build = politely(&build);
                let shown = format!("{build:?}").replace('"', "");
                print(&format!("meanwhile: {shown}"));
                let is_built = build.status().is_ok_and(|status| status.success());
                if !is_built {
                    print(&format!("meanwhile: this failed, and is tried again when it is needed: {shown}"));
                    return;
                }
            }
        })))
    }
}

impl Drop for Ahead {
    /// Waits for them, whatever became of the step.
    fn drop(&mut self) {
        if let Some(builds) = self.0.take()
            && builds.join().is_err()
        {
            print("what was built meanwhile panicked");
        }
    }
}

/// The same command at the lowest priority, without output.
fn politely(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    nice.stdout(Stdio::null()).stderr(Stdio::null());
    nice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_meanwhile_is_the_same_command_and_is_waited_for() {
        let folder = std::env::temp_dir().join(format!("xtask-ahead-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        let mut build = Command::new("sh");
        build.args(["-c", "sleep 0.2; echo $WORD $(nice) > built"]).current_dir(&folder).env("WORD", "done");
        drop(Ahead::start(vec![build]));
        let built = std::fs::read_to_string(folder.join("built")).expect("it should be built");
        assert_eq!(built, "done 19\n");
        std::fs::remove_dir_all(folder).expect("the folder should go");
    }
}
