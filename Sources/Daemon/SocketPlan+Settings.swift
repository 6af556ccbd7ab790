internal import Configuration
internal import Forwarding
internal import LinuxSystem

extension SocketPlan {
    /// What the configuration's `socket` keys mean to a socket.
    init(_ settings: SocketSettings) {
        self.init()
        keepaliveSeconds = Int32(clamping: settings.keepalive.components.seconds)
        userTimeout = settings.userTimeout.wholeNanoseconds
        congestion =
            switch settings.congestion {
            case .kernelDefault, .automatic: ""
            case .named(let name): name
            }
        choosesCongestion = settings.congestion == .automatic
        mark = settings.mark
        typeOfService = Int32(settings.tos)
        noDelay =
            switch settings.noDelay {
            case .automatic: .auto
            case .fixed(let value): value ? .always : .never
            }
        fastOpen = settings.fastOpen
        buffer =
            switch settings.buffer {
            case .automatic: 0
            case .bytes(let count): Int32(clamping: count)
            }
        interface = settings.bindInterface ?? ""
        sourceAddress = settings.bindAddress.flatMap { SocketAddress(bytes: $0.bytes.span, port: 0) }
    }
}
