import CFuzzer
import Glibc
import Wire

/// Reads each input as a CONNECT request. What is complete is complete without the bytes that follow it, and wherever one
/// looked before.
///
///     make fuzz FUZZERS=FuzzHTTPConnect
@main
struct FuzzHTTPConnect {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            let answer = HTTPConnect.parse(bytes.span)
            guard case .complete(let request, let length) = answer else { return 0 }
            precondition((1...bytes.count).contains(length) && request.destination.port != 0)
            precondition(HTTPConnect.parse(bytes.span.extracting(0..<length)) == .complete(request, length: length))
            precondition(HTTPConnect.parse(bytes.span.extracting(0..<length - 1)) == .needMore)
            precondition(HTTPConnect.parse(bytes.span, looked: length - 1) == answer)
            return 0
        }
        exit(status)
    }
}
