import CTerminal
import Glibc

/// Runs a program on this terminal, as a shell would.
public enum Foreground {
    /// Waits for the program's end and returns its exit code, 128 plus the signal that ended it, or 127 when it did not start.
    nonisolated public static func run(
        _ program: String, _ arguments: [String] = [], environment: [String: String], directory: String
    ) -> Int32 {
        let words = unsafe ([program] + arguments).map { unsafe strdup($0) }
        let variables = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") }
        defer {
            unsafe words.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        let arguments: [UnsafeMutablePointer<CChar>?] = unsafe words + [nil]
        let list: [UnsafeMutablePointer<CChar>?] = unsafe variables + [nil]
        let status = unsafe ct_run_foreground(program, arguments, list, directory)
        if status < 0 { return 127 }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}
