internal import Logging
internal import ServiceManager

/// Talks to the service manager, and says once when it does not answer.
struct ServiceStatus {
    let logger: Logger
    /// Another process speaks for the service now.
    var isSilent = false
    private var isUnreachable = false
    private var lastStatus = ""

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func send(_ notifications: Notification...) {
        if isSilent { return }
        do throws(NotificationError) {
            try Notification.send(notifications)
            isUnreachable = false
        } catch {
            if !isUnreachable {
                isUnreachable = true
                logger.event(
                    .serviceManagerUnreachable, "\(error.description)", metadata: ["reason": "\(error.errno)"])
            }
        }
    }

    /// Sends the line for humans when it has changed.
    mutating func show(_ status: String) {
        guard status != lastStatus else { return }
        lastStatus = status
        send(.status(status))
    }
}
