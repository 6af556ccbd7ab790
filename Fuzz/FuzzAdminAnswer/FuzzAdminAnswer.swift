@testable import AdminClient
import CFuzzer
import Glibc

/// Reads each input as what a daemon answers to `braid status` and the like. A body is never longer than what came.
///
///     make fuzz FUZZERS=FuzzAdminAnswer
@main
struct FuzzAdminAnswer {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            do throws(AdminClientError) {
                let response = try HTTPResponse(parsing: bytes, path: "/v1/status")
                precondition(response.body.count < bytes.count)
                _ = response.reason
            } catch {
                precondition(!error.description.isEmpty)
            }
            return 0
        }
        exit(status)
    }
}
