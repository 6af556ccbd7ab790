internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// Asks over one link whether anybody answers, while every link is dead and nothing tells when one is back.
///
/// It opens plain TCP connections to the peers, from the link's address and by its interface; the first answer, a refusal too,
/// ends it, and resets what was opened. Renewing endpoints until something joins would ask as well, but each time take from
/// the connections what is left of them.
struct LinkProbe: ~Copyable {
    /// So many are under way at once: with ten begun a second to each of two peers, answers may take more than a second.
    private static let atMost = 24

    private var sockets = UniqueArray<Socket>()

    init() {}

    /// Whether somebody has answered.
    var isAnswered: Bool {
        for index in 0..<sockets.count {
            if sockets[index].takeError() == .connectionRefused { return true }
            if (try? sockets[index].peerAddress()) != nil { return true }
        }
        return false
    }

    /// Asks once more.
    ///
    /// - Throws: `Errno`, when the link cannot even be tried: its address has gone, say.
    mutating func ask(_ peer: SocketAddress, from source: SocketAddress, by interface: String) throws(Errno) {
        let socket = try Socket.stream(peer.family, .tcp)
        socket.resetOnClose()
        if !interface.isEmpty { try socket.bind(toInterface: interface) }
        try socket.bind(to: source)
        _ = try socket.connect(to: peer)
        if sockets.count == Self.atMost { _ = sockets.remove(at: 0) }
        sockets.append(socket)
    }
}

/// The probes of all links, by their numbers.
struct LinkProbes: ~Copyable {
    private var numbers: [Int] = []
    private var probes = UniqueArray<LinkProbe>()

    init() {}

    /// Whether somebody has answered over a link.
    func isAnswered(_ link: Int) -> Bool {
        guard let index = numbers.firstIndex(of: link) else { return false }
        return probes[index].isAnswered
    }

    /// Asks once more over a link.
    mutating func ask(
        _ link: Int, _ peer: SocketAddress, from source: SocketAddress, by interface: String
    ) throws(Errno) {
        let index: Int
        if let known = numbers.firstIndex(of: link) {
            index = known
        } else {
            index = numbers.count
            numbers.append(link)
            probes.append(LinkProbe())
        }
        try probes[index].ask(peer, from: source, by: interface)
    }

    /// Ends all of them.
    mutating func end() {
        numbers = []
        probes = UniqueArray<LinkProbe>()
    }
}
