import Foundation
import Glibc
import Lab

/// One measurement of a row: a fresh lab (the kernel remembers what it learnt of a path), one bulk connection.
struct Scene {
    let row: Row
    let setting: Setting
    let way: Way
    /// Congestion control of both ends between the hosts.
    let congestion: String
    let seconds: Double
    /// The program, and how it is measured.
    let bench: PathBench
    /// Ping-pong instead of bulk.
    var isPing = false
    /// Braid dials over the row's link, whatever it would choose.
    var isPinned = true

    private static let port: UInt16 = 7143

    /// What happens to the links while traffic runs.
    typealias Happening = (_ links: [Link], _ near: LabHost, _ now: @escaping () -> Double) throws -> Void

    /// An undisturbed transfer.
    func measure() async throws -> Arrivals { try await measure { _, _, _ in pause(seconds) } }

    func measure(_ happening: Happening) async throws -> Arrivals {
        try await inLab { near, far, links in
            switch setting {
            case .single(let link): return try direct(near, far, links, links[link], 0, happening)
            case .kernel, .backup: return try direct(near, far, links, links[row.dialled], Plug.multipath, happening)
            case .tuned:
                return try direct(
                    near, far, links, links[row.dialled], Plug.multipath, sendBuffer: row.tunedSendBuffer, happening)
            case .braid: return try await throughBraid(near, far, links, happening)
            }
        }
    }

    /// Two hosts with the row's links, set up for the setting.
    private func inLab<Result>(
        _ body: (_ near: LabHost, _ far: LabHost, _ links: [Link]) async throws -> Result
    ) async throws -> Result {
        try await Lab.with { lab in
            let near = try lab.host("near")
            let far = try lab.host("far")
            let links = try row.shapes.enumerated().map { number, shape in
                try lab.link(near, far, name: "link\(number + 1)", aToB: shape.profile, bToA: shape.profile)
            }
            for host in [near, far] {
                try host.sysctl("net.mptcp.blackhole_timeout", "0")
                // What Braid's package sets belongs to Braid.
                if setting == .braid { try host.sysctl("net.ipv4.tcp_notsent_lowat", "65536") }
                for setting in bench.sysctl {
                    let words = setting.split(separator: "=", maxSplits: 1).map(String.init)
                    if words.count == 2 { try host.sysctl(words[0], words[1]) }
                }
                if let largest = row.largestBuffer {
                    try host.sysctl("net.ipv4.tcp_rmem", "4096 131072 \(largest)")
                    try host.sysctl("net.ipv4.tcp_wmem", "4096 16384 \(largest)")
                }
            }
            try far.mptcp()
            // The dialled link's route comes first.
            try near.multipath(over: row.dialled == 0 ? links : links.reversed())
            if setting == .backup {
                try near.run("ip", "mptcp", "endpoint", "change", links[1].address(of: near), "backup")
            }
            return try await body(near, far, links)
        }
    }

    private func direct(
        _ near: LabHost, _ far: LabHost, _ links: [Link], _ link: Link, _ number: Int32, sendBuffer: Int? = nil,
        _ happening: Happening
    ) throws -> Arrivals {
        let listener = try Plug.listen(in: far, port: Self.port, protocol: number, congestion: congestion)
        defer { close(listener) }
        let source = link.address(of: near)
        let client = try Plug.connect(
            in: near, from: source, to: link.address(of: far), port: Self.port, protocol: number,
            congestion: congestion)
        let server = try checked(accept(listener, nil, nil), "accept")
        if let sendBuffer { Plug.set(way == .up ? client : server, sendBuffer: sendBuffer) }
        return try run(client, server, links, near, happening)
    }

    private func throughBraid(
        _ near: LabHost, _ far: LabHost, _ links: [Link], _ happening: Happening
    ) async throws -> Arrivals {
        let listener = try Plug.listen(in: far, port: 9000, protocol: 0)
        defer { close(listener) }
        let daemons = try await startBoth(near, far, links, upstream: "tcp://127.0.0.1:9000")
        defer { for daemon in daemons { daemon.terminate() } }
        let client = try Plug.connect(in: near, from: nil, to: "127.0.0.1", port: 1143, protocol: 0)
        let server = try checked(accept(listener, nil, nil), "accept")
        let seen = try run(client, server, links, near, happening)
        if bench.verbose {
            for (name, daemon) in zip(["far", "near"], daemons) {
                for line in daemon.lines { FileHandle.standardError.write(Data("\(name): \(line)\n".utf8)) }
            }
        }
        return seen
    }

    /// Near and far Braid, to which clients are an echo.
    func withBraid<Result>(
        _ body: (_ near: LabHost, _ far: LabHost, _ links: [Link], _ daemons: [HostProcess]) async throws -> Result
    ) async throws -> Result {
        try await inLab { near, far, links in
            let daemons = try await startBoth(near, far, links, upstream: "echo://")
            defer { for daemon in daemons { daemon.terminate() } }
            return try await body(near, far, links, daemons)
        }
    }

    private func startBoth(
        _ near: LabHost, _ far: LabHost, _ links: [Link], upstream: String
    ) async throws -> [HostProcess] {
        let bind =
            isPinned ? "socket.upstream.bind-address = \"\(links[row.dialled].address(of: near))\"" : ""
        let daemons = [
            try start(
                far,
                """
                [[relay]]
                listen = "mptcp://*:\(Self.port)"
                upstream = "\(upstream)"
                socket.listen.congestion = "\(congestion)"
                [paths]
                manage = true
                """),
            try start(
                near,
                """
                [[relay]]
                listen = "tcp://127.0.0.1:1143"
                upstream = "mptcp://\(links[row.dialled].address(of: far)):\(Self.port)"
                \(bind)
                socket.upstream.congestion = "\(congestion)"
                [paths]
                manage = true
                [[paths.link]]
                interface = "link1"
                [[paths.link]]
                interface = "link2"
                """),
        ]
        try await far.waitForListener(port: Self.port, of: daemons[0])
        try await near.waitForListener(port: 1143, of: daemons[1])
        return daemons
    }

    private func start(_ host: LabHost, _ configuration: String) throws -> HostProcess {
        let text = configuration + "\n[daemon]\nlog-level = \"\(bench.verbose ? "debug" : "warning")\"\n"
        // The daemon reads it through a descriptor: nothing is left behind, whatever happens.
        var template = Array("/tmp/braid-paths-XXXXXX".utf8CString)
        let file = try checked(mkstemp(&template), "mkstemp")
        defer { close(file) }
        unlink(template)
        _ = Array(text.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        return try host.spawn([bench.braid, "run", "--config", "/proc/self/fd/3"], descriptors: [file])
    }

    private func run(
        _ client: Int32, _ server: Int32, _ links: [Link], _ near: LabHost, _ happening: Happening
    ) throws -> Arrivals {
        defer {
            close(client)
            close(server)
        }
        let meanwhile: Meanwhile = { now in try happening(links, near, now) }
        if isPing { return try PingPong().run(client: client, server: server, meanwhile: meanwhile) }
        let (sender, receiver) = way == .up ? (client, server) : (server, client)
        return try Bulk().run(sender: sender, receiver: receiver, meanwhile: meanwhile)
    }
}
