//! argv to exit code, nothing else.

fn main() -> std::process::ExitCode {
    netlab_capture::cli::main()
}
