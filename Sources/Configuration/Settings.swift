/// Everything a configuration says, checked: what is read from files, with defaults for what they leave out.
public struct Settings: Sendable, Equatable {
    /// `[daemon]`
    public var daemon: DaemonSettings
    /// `[limits]`
    public var limits: LimitSettings
    /// `[admin]`
    public var admin: AdminSettings
    /// `[paths]` and `[[paths.link]]`
    public var paths: PathSettings
    /// `[[relay]]`, in the order of the files.
    public var relays: [RelaySettings]

    /// A configuration that says nothing: every default, no relay.
    public static let defaults = Settings(file: "")

    init(file: String) {
        let locations = KeyLocations(table: SourceLocation(file: file, line: 1, column: 1))
        daemon = DaemonSettings(locations: locations)
        limits = LimitSettings(locations: locations)
        admin = AdminSettings(locations: locations)
        paths = PathSettings(locations: locations)
        relays = []
    }
}
