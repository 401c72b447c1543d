// My Docker. Stage 1: runs a command and passes its exit code on. CommandExt::pre_exec runs code in the child;
// extern "C" declarations of libc's functions give you the system calls without a crate.
use std::os::unix::process::ExitStatusExt;
use std::process::{exit, Command, Stdio};

fn run(words: &[String]) -> i32 {
    let command = &words[1..]; // not used yet: options before the image, and the image
    match Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).status() {
        Ok(status) => status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        Err(error) => {
            eprintln!("my-docker: {}: {}", command[0], error);
            127
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.len() < 3 || words[0] != "run" {
        eprintln!("my-docker: there is no such command");
        exit(125);
    }
    exit(run(&words[1..]));
}
