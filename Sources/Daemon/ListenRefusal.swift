internal import LinuxSystem
internal import SystemPackage

/// What the system refused while a listener was opened.
struct ListenRefusal: Error {
    let call: String
    let error: Errno

    /// Makes a system call, and says which one when it is refused.
    static func trying<Value: ~Copyable>(
        _ call: String, _ body: () throws(Errno) -> Value
    ) throws(ListenRefusal) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw ListenRefusal(call: call, error: error)
        }
    }

    /// One line for people, with what mends it.
    func text(_ address: String) -> String {
        let reason = "cannot listen on \(address): \(call): \(error)"
        let remedy: String? =
            switch error {
            case .addressInUse:
                """
                another program (or relay) has this address: `ss -ltnp` shows which; stop it or choose another port
                """
            case .permissionDenied, .notPermitted:
                """
                ports below 1024 need CAP_NET_BIND_SERVICE (AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or a \
                .socket unit), or choose a higher port
                """
            case .addressNotAvailable: "no interface has this address: `ip address` shows those that are there"
            case .noSuchDevice: "no interface has this name: `ip link` shows those that are there"
            case .tooManyOpenFiles: "raise LimitNOFILE= of the unit"
            default: nil
            }
        return remedy.map { "\(reason); \($0)" } ?? reason
    }
}
