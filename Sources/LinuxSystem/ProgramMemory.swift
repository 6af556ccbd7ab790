internal import CLinux

/// The memory of this program's own file.
public enum ProgramMemory {
    /// Gives back the pages that were read to start and are not needed to go on. madvise(2).
    public static func releaseStartupPages() { linux_release_program_pages() }
}
