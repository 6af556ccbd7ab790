import CFuzzer
import Glibc
import Wire

/// Reads each input as each of SOCKS5's messages. What is complete is complete without the bytes that follow it.
///
///     make fuzz FUZZERS=FuzzSOCKS5
@main
struct FuzzSOCKS5 {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            check(bytes, SOCKS5.parseGreeting)
            check(bytes, SOCKS5.parseCredentials)
            check(bytes, SOCKS5.parseRequest)
            return 0
        }
        exit(status)
    }
}

private func check<Value: Equatable>(
    _ bytes: [UInt8], _ parse: (Span<UInt8>) -> Parsed<Value, SOCKS5.Fault>
) {
    guard case .complete(let value, let length) = parse(bytes.span) else { return }
    precondition((1...bytes.count).contains(length))
    precondition(parse(bytes.span.extracting(0..<length)) == .complete(value, length: length))
    precondition(parse(bytes.span.extracting(0..<length - 1)) == .needMore)
}
