internal import BasicContainers
internal import Configuration
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage

/// The sockets that the admin interface listens on.
struct AdminSockets: ~Copyable {
    /// Clients that may wait to be accepted.
    static let backlog = 128
    /// Only the daemon's own user, and root.
    static let mode: UInt32 = 0o600

    var unix: Socket?
    /// The Unix socket's file.
    var path: String?
    var http = UniqueArray<Socket>()
    /// Where `http` listens, with the ports that the kernel chose.
    var httpAddresses: [String] = []

    var isEmpty: Bool { path == nil && http.isEmpty }

    /// Opens what the configuration asks for.
    ///
    /// - Throws: when a socket that it names cannot be opened. The default one is only tried.
    static func open(_ settings: AdminSettings, logger: Logger) throws(StartError) -> AdminSockets {
        var sockets = AdminSockets()
        if let path = settings.socket {
            do throws(ListenRefusal) {
                sockets.unix = try openUnix(path)
                sockets.path = path
            } catch {
                throw StartError(at: settings.locations["socket"], error.text(path))
            }
        } else {
            sockets.openDefault(logger)
        }
        if let http = settings.http {
            do throws(ListenRefusal) {
                try sockets.openHTTP(http)
            } catch {
                throw StartError(at: settings.locations["http"], error.text("http://\(http)"))
            }
            if !http.isLoopback {
                logger.notice("admin.http: whoever reaches \(http) can read the dashboard, and who is connected where")
            }
        }
        return sockets
    }

    private mutating func openDefault(_ logger: Logger) {
        let path = AdminSettings.defaultSocket(environment: ThisProcess.environment)
        do throws(ListenRefusal) {
            if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
                let directory = String(path[..<slash])
                try ListenRefusal.trying("mkdir") { () throws(Errno) in
                    try FileDirectory.make(directory, mode: 0o755)
                }
            }
            unix = try Self.openUnix(path)
            self.path = path
        } catch {
            let reason = error.text(path)
            logger.event(
                .adminUnavailable, "braid status and the like will not work: \(reason)",
                metadata: ["socket": "\(path)", "reason": "\(reason)"])
        }
    }

    private static func openUnix(_ path: String) throws(ListenRefusal) -> Socket {
        let socket = try UnixListening.bind(path)
        do throws(ListenRefusal) {
            try ListenRefusal.trying("chmod") { () throws(Errno) in try UnixSocketFile.set(mode: mode, of: path) }
            try ListenRefusal.trying("listen") { () throws(Errno) in try socket.listen(backlog: backlog) }
        } catch {
            // Nobody could have used it; what cannot be removed is replaced at the next start.
            try? UnixSocketFile.remove(path)
            throw error
        }
        return socket
    }

    private mutating func openHTTP(_ target: HostPort) throws(ListenRefusal) {
        var port = target.port
        for address in try ListenerOpener.addresses(of: target) {
            var local = address
            local.port = port
            let opened = try InternetListening.socket(local, of: target, .tcp)
            let bound = opened.bindAddress(local)
            let socket = opened.take()
            try ListenRefusal.trying("bind") { () throws(Errno) in try socket.bind(to: bound) }
            try ListenRefusal.trying("listen") { () throws(Errno) in try socket.listen(backlog: Self.backlog) }
            // The addresses of one name share the port that the kernel chose for the first.
            port = (try? socket.localAddress().port) ?? port
            var shown = target
            shown.port = port
            httpAddresses.append("http://\(shown)")
            http.append(socket)
        }
    }
}
