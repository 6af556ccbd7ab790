import CFuzzer
import Glibc
import Wire

/// Reads each input as an RFC 8803 message. What is complete is complete without the bytes that follow it, and is read back as
/// the same when it is written again.
///
///     make fuzz FUZZERS=FuzzConvert
@main
struct FuzzConvert {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            guard case .complete(let message, let length) = ConvertMessage.parse(bytes.span) else {
                guard case .malformed(let fault) = ConvertMessage.parse(bytes.span) else { return 0 }
                let refusal = ConvertMessage.refusal(fault, of: bytes.span).bytes()
                guard case .complete = ConvertMessage.parse(refusal.span) else {
                    preconditionFailure("a wrong refusal")
                }
                return 0
            }
            precondition((4...bytes.count).contains(length))
            precondition(ConvertMessage.parse(bytes.span.extracting(0..<length - 1)) == .needMore)
            let written = message.bytes()
            precondition(written.count <= length)
            precondition(ConvertMessage.parse(written.span) == .complete(message, length: written.count))
            guard let cookie = message.cookie, let proof = KeyProof(cookie: cookie) else { return 0 }
            precondition(proof.cookie == cookie)
            var filled = Array(bytes[..<length])
            KeyProof.fill(proof.code, into: &filled)
            precondition(filled == Array(bytes[..<length]))
            precondition(KeyProof.authenticated(filled.span).count == length + 15)
            return 0
        }
        exit(status)
    }
}
