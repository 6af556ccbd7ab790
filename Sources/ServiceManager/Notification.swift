internal import CSystemd
public import SystemPackage

/// What a service tells its service manager, as sd_notify(3) defines it.
///
/// ```swift
/// try Notification.send(.ready, .status("3 relays, 0 connections"))
/// ```
public enum Notification: Sendable, Equatable {
    /// Start-up or a reload is finished: every listener accepts. `READY=1`.
    case ready
    /// One line for people, shown by `systemctl status`. Line breaks and other control characters become spaces,
    /// since a line break would begin another assignment. `STATUS=`.
    case status(String)
    /// A reload begins; ``ready`` ends it. Carries `MONOTONIC_USEC=` of the moment of sending, which
    /// `Type=notify-reload` (systemd 253 and later) requires. Send it first thing after SIGHUP: a late one lets
    /// `systemctl reload` return before the reload is done. `RELOADING=1`.
    case reloading
    /// Shutdown begins. `STOPPING=1`.
    case stopping
    /// The service is alive; due every ``Watchdog/pingInterval``. `WATCHDOG=1`.
    case watchdog
    /// Start, stop or reload needs this much longer than configured, counted from now; to be repeated before it has
    /// passed. `EXTEND_TIMEOUT_USEC=`.
    case extendTimeout(Duration)
    /// The service's main process from now on. `MAINPID=`.
    case mainProcess(CInt)

    /// What became of a message.
    public enum Delivery: Sendable, Equatable {
        /// The service manager has it.
        case sent
        /// Nobody asked to be told: `NOTIFY_SOCKET` is not set.
        case noServiceManager
    }

    /// Whether a service manager asked to be told, that is, whether `NOTIFY_SOCKET` is set.
    public static var isWanted: Bool { Environment.value(of: "NOTIFY_SOCKET") != nil }

    /// Sends the notifications as one message, in their order. Does nothing, and says so, without a service manager.
    ///
    /// The corresponding C function is `sd_notify`.
    /// - Throws: ``NotificationError`` when the service manager's socket cannot be reached.
    @discardableResult
    public static func send(_ notifications: Notification...) throws(NotificationError) -> Delivery {
        try send(notifications)
    }

    /// Sends the notifications as one message, in their order. Does nothing, and says so, without a service manager.
    ///
    /// The corresponding C function is `sd_notify`.
    /// - Throws: ``NotificationError`` when the service manager's socket cannot be reached.
    @discardableResult
    public static func send(_ notifications: [Notification]) throws(NotificationError) -> Delivery {
        let message = notifications.map(\.assignments).joined(separator: "\n")
        let answer = unsafe sd_notify(0, message)
        if answer < 0 { throw NotificationError(message: message, errno: Errno(rawValue: -answer)) }
        return answer == 0 ? .noServiceManager : .sent
    }

    /// The `NAME=value` lines of this notification.
    var assignments: String {
        switch self {
        case .ready: "READY=1"
        case .status(let text): "STATUS=" + Self.oneLine(text)
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(MonotonicClock.microseconds)"
        case .stopping: "STOPPING=1"
        case .watchdog: "WATCHDOG=1"
        case .extendTimeout(let duration): "EXTEND_TIMEOUT_USEC=\(duration.wholeMicroseconds)"
        case .mainProcess(let id): "MAINPID=\(id)"
        }
    }

    /// `text` with every control character and line separator replaced by a space.
    static func oneLine(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: line.append(" ")
            default: line.append(scalar)
            }
        }
        return String(line)
    }
}

/// The service manager's notification socket could not be reached.
public struct NotificationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was to be said.
    public let message: String
    /// Why it could not.
    public let errno: Errno

    /// One line for people.
    public var description: String {
        let what = message.split(separator: "\n", maxSplits: 1).first ?? ""
        return "cannot notify the service manager (\(what)): \(errno)"
    }
}
