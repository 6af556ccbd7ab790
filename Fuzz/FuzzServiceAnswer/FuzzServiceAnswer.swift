import CFuzzer
import Glibc
@testable import Upstreams

/// Reads each input as a DNS answer about a service. What was read does not depend on what follows it, and has names that a
/// resolver can be asked for.
///
///     make fuzz FUZZERS=FuzzServiceAnswer
@main
struct FuzzServiceAnswer {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            guard let answer = ServiceAnswer(bytes) else { return 0 }
            precondition(ServiceAnswer(bytes + [0xC0]) == answer)
            precondition(Set(answer.records).count == answer.records.count)
            precondition(answer.records.allSatisfy { (1..<255).contains($0.target.utf8.count) })
            return 0
        }
        exit(status)
    }
}
