/// What became of a reload.
public enum ReloadOutcome: Sendable, Equatable {
    /// The new configuration is in force, but for these sections and keys, which need a restart.
    case reloaded(needsRestart: [String])
    /// The new configuration is wrong, or asks for what the system refuses; everything runs on as it was. One line an error.
    case refused([String])
}
