//! argv to exit code, nothing else.

/// The system's own allocator lets threads wait for each other where one frees
/// what another allocated, which is what reading a capture on several threads is.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    netlab_capture::cli::main()
}
