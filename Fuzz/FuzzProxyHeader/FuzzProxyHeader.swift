import CFuzzer
import Glibc
import Wire

/// Reads each input as a PROXY header. What is complete is complete without the bytes that follow it, and is read back as the
/// same when it is written again.
///
///     make fuzz FUZZERS=FuzzProxyHeader
@main
struct FuzzProxyHeader {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            guard case .complete(let header, let length) = ProxyHeader.parse(bytes.span) else { return 0 }
            precondition((1...bytes.count).contains(length))
            precondition(ProxyHeader.parse(bytes.span.extracting(0..<length)) == .complete(header, length: length))
            precondition(ProxyHeader.parse(bytes.span.extracting(0..<length - 1)) == .needMore)
            let written = header.binary()
            // Its own checksum is seven bytes; what then no longer fits is left out.
            let again = ProxyHeader.parse(written.span)
            if length + 7 <= 16 + 65_535 {
                precondition(again == .complete(header, length: written.count))
            } else {
                guard case .complete(let shorter, written.count) = again else { preconditionFailure("no header") }
                precondition(shorter.addresses == header.addresses && shorter.items.count <= header.items.count)
            }
            let line = header.line()
            guard case .complete = ProxyHeader.parse(line.span) else { preconditionFailure("a line that is none") }
            return 0
        }
        exit(status)
    }
}
