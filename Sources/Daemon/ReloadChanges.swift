internal import Forwarding

/// What a reload changes, for the loops and for the log.
struct ReloadChanges {
    var added = 0
    var changed = 0
    var removed = 0
    /// Listeners that were opened.
    var opened: [Int] = []
    /// In the order in which they are carried out, but for relays, which come first.
    var commands: [LoopCommand] = []

    /// One line for people.
    func sentence(_ file: String, _ needsRestart: [String]) -> String {
        var text = "reloaded \(file): "
        if added + changed + removed == 0 {
            text += "no relay has changed"
        } else {
            text += "\(added) added, \(changed) changed, \(removed) removed"
        }
        if !needsRestart.isEmpty {
            text += "; a restart is needed for what has changed in \(needsRestart.joined(separator: ", "))"
        }
        return text
    }
}
