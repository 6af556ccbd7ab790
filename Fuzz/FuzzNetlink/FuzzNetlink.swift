import CFuzzer
@testable import Doctor
import Glibc
@testable import LinuxSystem
@testable import MultipathTCP
@testable import Paths

/// Reads each input as a datagram from the kernel, and each message in it as everything that is read of links, routes, rules,
/// sockets, endpoints and path events. What is no datagram is taken for the payload of one message, so that every reader is
/// reached without a right header.
///
///     make fuzz FUZZERS=FuzzNetlink
@main
struct FuzzNetlink {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            var offset = 0
            do throws(NetlinkSyntaxError) {
                var start = offset
                while let message = try NetlinkMessage.next(in: bytes.span, at: &offset) {
                    precondition((start + NetlinkMessage.headerSize...bytes.count).contains(offset))
                    start = offset
                    read(message)
                }
            } catch {
                precondition(!error.description.isEmpty)
                if offset == 0 {
                    for type in [LinkMessages.newRoute, 32] { read(NetlinkMessage(type: type, payload: bytes)) }
                }
            }
            return 0
        }
        exit(status)
    }
}

private func read(_ message: NetlinkMessage) {
    let payload = message.payload.span
    // What cannot be understood is an error, and never more than that.
    _ = try? NetlinkAcknowledgement(message)
    _ = try? NetlinkFamily(payload)
    _ = try? PathEvent(payload)
    _ = try? PathManagerMessages.limits(payload)
    _ = try? LinkMessages.interface(message)
    _ = try? LinkMessages.address(message)
    _ = try? LinkMessages.defaultRoutes(message)
    _ = try? SocketDiagnosticsMessages.connection(payload)
    _ = try? SocketDiagnosticsMessages.identity(payload)
    _ = try? SocketDiagnosticsMessages.subflow(payload)
    _ = try? RouteLookup.decode(message)
    _ = try? RouteLookup.neighbour(message)
    // What is written is read back as the same.
    if let endpoint = try? PathManagerMessages.endpoint(payload) {
        var request = NetlinkRequest(family: 16, command: 1)
        PathManagerMessages.add(endpoint, as: PathManagerMessages.Attribute.endpoint, to: &request)
        precondition((try? PathManagerMessages.endpoint(request.payload.span)) == endpoint)
    }
    if let deletion = SourceRoutingMessages.deletion(ofLeftover: message) {
        var offset = 0
        let written = deletion.message(sequence: 1)
        guard let again = try? NetlinkMessage.next(in: written.span, at: &offset) else {
            preconditionFailure("a request that is none")
        }
        precondition(again.payload == deletion.payload && offset == written.count)
    }
}
