public import CourseModel
import GRDB

/// What can go wrong with recorded progress.
public enum ProgressError: UserError, Equatable {
    /// The file is not a database, or a damaged one; it was renamed and not changed.
    case damaged(path: String, keptAs: String)
    /// The file is damaged and could not be renamed.
    case damagedInPlace(path: String, reason: String)
    /// A newer program has written the file.
    case newer(path: String)
    case notWritable(path: String, reason: String)
    case full(path: String)
    /// Another process holds the database for longer than anyone should.
    case busy(path: String)
    case failed(path: String, reason: String)
    case unknownLearner(LearnerID, known: [LearnerID])
    case learnerExists(LearnerID)
    case badLearnerID(String)
    /// A submission that cannot be taken.
    case submission(reason: String, hint: String?)

    public var message: String {
        switch self {
        case .damaged(let path, let kept): "The progress file '\(path)' is damaged; it is kept as '\(kept)'."
        case .damagedInPlace(let path, let reason):
            "The progress file '\(path)' is damaged and cannot be renamed: \(reason)."
        case .newer(let path): "The progress file '\(path)' was written by a newer version of VelocityLab."
        case .notWritable(let path, let reason): "The progress file '\(path)' cannot be written: \(reason)."
        case .full(let path): "There is no room left on the disk for the progress file '\(path)'."
        case .busy(let path):
            "Another program has been writing to the progress file '\(path)' for more than 10 seconds."
        case .failed(let path, let reason): "The progress file '\(path)' cannot be used: \(reason)."
        case .unknownLearner(let id, _): "There is no learner '\(id)'."
        case .learnerExists(let id): "There is a learner '\(id)' already."
        case .badLearnerID(let id): "'\(id)' cannot be the id of a learner."
        case .submission(let reason, _): reason
        }
    }

    public var hint: String? {
        switch self {
        case .damaged: "Start again to go on with an empty file, or put a backup in its place."
        case .damagedInPlace(let path, _): "Move '\(path)' away, then start again."
        case .newer: "Update VelocityLab, or set VELOCITY_HOME to another folder."
        case .notWritable: "Make the folder writable, or set VELOCITY_HOME to another one."
        case .full:
            "Free some space, or set VELOCITY_HOME to a folder on another disk. Nothing that was recorded is lost."
        case .busy: "Close the other program, then try again."
        case .failed: nil
        case .unknownLearner(_, let known):
            known.isEmpty
                ? "Add one with 'velocity learner add'."
                : "The learners are: \(known.map(\.rawValue).joined(separator: ", "))."
        case .learnerExists(let id): "Choose another id, or go on with 'velocity learner use \(id)'."
        case .badLearnerID: "Use lower-case letters, digits and hyphens, starting with a letter."
        case .submission(_, let hint): hint
        }
    }

    init(_ error: any Error, path: String) {
        if let error = error as? ProgressError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .failed(path: path, reason: "\(error)")
            return
        }
        switch error.resultCode {
        case .SQLITE_FULL: self = .full(path: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_IOERR:
            self = .notWritable(path: path, reason: error.message ?? "\(error.resultCode)")
        default: self = .failed(path: path, reason: error.message ?? "\(error.resultCode)")
        }
    }

    /// Whether SQLite says that the file is no sound database.
    static func isDamage(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        return error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
    }
}
