internal import Configuration
internal import Logging
internal import ServiceManager

/// The daemon's logger as `[daemon]` asks for it.
struct DaemonLogging {
    let destination: LogDestination
    let logger: Logger

    /// `log-level`.
    static func level(_ settings: DaemonSettings) -> Logger.Level {
        Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
    }

    init(_ settings: DaemonSettings) {
        let level = Self.level(settings)
        let format = LogFormat(rawValue: settings.logFormat.rawValue) ?? .auto
        let destination = LogDestination(format: format, level: level)
        self.destination = destination
        logger = Logger(label: "braid") { _ in destination.handler() }
    }
}
