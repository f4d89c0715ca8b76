/// When a watch hears that it has seen everything, and when it ends.
struct WatchSchedule: Sendable {
    let timeout: Duration
    let sendsBookmarks: Bool

    /// Quiet watches hear so often up to where they have seen everything, if they want.
    static let bookmarkInterval = Duration.seconds(60)
    /// So long before its end a watch gets the last bookmark.
    static let lastBookmarkLead = Duration.seconds(2)

    struct Ring: Sendable, Equatable {
        /// Since the watch began.
        let at: Duration
        let isBookmark: Bool
        let isEnd: Bool
    }

    /// What has rung and has not been acted upon.
    struct Rings: Sendable {
        var bookmark = false
        var end = false

        mutating func add(_ ring: Ring) {
            bookmark = bookmark || ring.isBookmark
            end = end || ring.isEnd
        }
    }

    /// A ring each minute, one shortly before the end, and the end; nil after that.
    ///
    /// - Parameter moment: When it last rang; zero for the beginning.
    func next(after moment: Duration) -> Ring? {
        guard moment < timeout else { return nil }
        let last = timeout - Self.lastBookmarkLead
        let isLastApart = sendsBookmarks && last > .zero
        let next = moment + Self.bookmarkInterval
        if sendsBookmarks, next < last { return Ring(at: next, isBookmark: true, isEnd: false) }
        if isLastApart, moment < last { return Ring(at: last, isBookmark: true, isEnd: false) }
        return Ring(at: timeout, isBookmark: sendsBookmarks && !isLastApart, isEnd: true)
    }
}
