import CFuzzer
import Configuration
import Glibc

/// Reads each input as a configuration: text, values, combinations. Whatever the bytes are, the answer is settings or
/// errors.
///
///     BRAID_FUZZ=1 swift build -c release --scratch-path .build/fuzz --product FuzzConfiguration \
///         -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld \
///         -Xcc -fsanitize=fuzzer-no-link,address -Xcxx -fsanitize=fuzzer-no-link,address
///     .build/fuzz/release/FuzzConfiguration CORPUS Config -max_len=4096 -max_total_time=60
@main
struct FuzzConfiguration {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            do throws(ConfigurationError) {
                _ = try Settings.load(bytes: bytes, file: "/nowhere/f", environment: ["NAME": "value"]).notBuiltYet()
            } catch {
                precondition(!error.description.isEmpty)
            }
            return 0
        }
        exit(status)
    }
}
