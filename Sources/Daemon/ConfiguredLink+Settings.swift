internal import Configuration
internal import LinuxSystem
internal import Paths

extension ConfiguredLink {
    /// A link as `[[paths.link]]` has it; `nil` for an address that is none, which the configuration does not let through.
    init?(_ settings: LinkSettings) {
        let target: ConfiguredLink.Target
        switch settings.target {
        case .interface(let name): target = .interface(name)
        case .address(let address):
            guard let address = SocketAddress(bytes: address.bytes.span, port: 0) else { return nil }
            target = .address(address)
        }
        self.init(
            name: settings.name, target: target, isBackup: settings.backup, isAnnounced: settings.announce,
            port: settings.port, isFullMesh: settings.fullMesh, priority: settings.priority, rules: LinkRules(settings))
    }

    /// The links of a configuration. Without any, every interface with a global address and a default route is one.
    static func all(_ settings: PathSettings) -> [ConfiguredLink] {
        if settings.links.isEmpty { return [ConfiguredLink(name: "*", target: .interface("*"))] }
        return settings.links.compactMap { ConfiguredLink($0) }
    }
}
