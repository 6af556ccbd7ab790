internal import ArgumentParser
internal import LinuxSystem
internal import MultipathTCP
internal import Probe
internal import SystemPackage

/// `braid echo`: the other end of `braid probe`.
struct EchoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo",
        abstract: "Serve an echo on MPTCP, and say of each connection whether it is multipath.",
        discussion:
            "Runs until it is interrupted. Exit status: 0 good; 64 wrong usage; 71 the system refused the address.")

    @Option(help: ArgumentHelp("Where to listen; * is every address, port 0 a free one.", valueName: "host:port"))
    var listen = "0.0.0.0:8080"

    func validate() throws {
        guard HostAndPort(listen, allowingPortZero: true) != nil else {
            throw ValidationError("'\(listen)' is not HOST:PORT (an IPv6 address goes in brackets: [::]:8080)")
        }
    }

    func run() throws {
        guard let place = HostAndPort(listen, allowingPortZero: true) else { return }
        let signals = try StopSignals.descriptor()
        do {
            var server = try EchoServer(on: try Self.address(of: place)) { StandardOutput.write($0) }
            try server.run(until: signals.descriptor.raw)
        } catch {
            StandardError.write("braid echo: \(place): \(error)")
            throw ExitCode.systemRefused
        }
    }

    private static func address(of place: HostAndPort) throws -> SocketAddress {
        if place.host == "*" { return .any(.ipv6, port: place.port) }
        guard let first = try NameLookup.addresses(of: place.host, port: place.port).first else {
            throw Errno.addressNotAvailable
        }
        return first
    }
}
