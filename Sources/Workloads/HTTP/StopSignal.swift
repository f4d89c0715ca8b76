import Glibc

/// The pipe through which SIGTERM and SIGINT reach whoever waits for them.
enum StopSignal {
    static let pipe = Pipe()

    static func install() {
        _ = pipe  // made here, because a signal handler must not
        // Whoever started this program may have blocked them, and a mask is inherited.
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in [SIGTERM, SIGINT] { sigaddset(&mask, number) }
        sigprocmask(SIG_UNBLOCK, &mask, nil)
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in StopSignal.pipe.put() }
        }
    }

    /// Waits for one of them, at most so long (-1: for ever); false when the time was up first.
    static func wait(milliseconds: Int32) -> Bool {
        let end = Moment.steady + Int(milliseconds)
        while true {
            var watched = pollfd(fd: pipe.read, events: Int16(POLLIN), revents: 0)
            let rest = milliseconds < 0 ? -1 : Int32(max(0, end - Moment.steady))
            let count = poll(&watched, 1, rest)
            if count >= 0 { return count > 0 }
        }
    }
}
