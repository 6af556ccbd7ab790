import CFuzzer
import Configuration
import Glibc

/// Reads each input as a configuration: text, values, combinations. Whatever the bytes are, the answer is settings or
/// errors.
///
///     make fuzz FUZZERS=FuzzConfiguration
@main
struct FuzzConfiguration {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            do throws(ConfigurationError) {
                _ = try Settings.load(bytes: bytes, file: "/nowhere/f", environment: ["NAME": "value"])
            } catch {
                precondition(!error.description.isEmpty)
            }
            return 0
        }
        exit(status)
    }
}
