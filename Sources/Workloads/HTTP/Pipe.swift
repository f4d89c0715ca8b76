import Glibc

/// A pipe whose bytes say that something is there to be looked at.
struct Pipe: Sendable {
    let read: Int32
    let write: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "a pipe cannot be made: errno \(errno)")
        (read, write) = (ends[0], ends[1])
    }

    func put() {
        var byte: UInt8 = 1
        _ = Glibc.write(write, &byte, 1)
    }

    /// Waits for a byte and takes it; false when the other end is closed.
    func take() -> Bool {
        var byte: UInt8 = 0
        while true {
            let count = Glibc.read(read, &byte, 1)
            if count >= 0 { return count > 0 }
        }
    }
}
