/// The whole course as a road: what exists, and what is still to come.
public struct CourseMap: Hashable, Sendable {
    /// A week of the road, whether it has been written or not.
    public struct Stop: Hashable, Sendable {
        public let number: Int
        /// Nil: not even its title is known.
        public let title: String?
        public let note: String?

        public init(number: Int, title: String? = nil, note: String? = nil) {
            self.number = number
            self.title = title
            self.note = note
        }
    }

    public let stops: [Stop]
    /// What belongs to the course and to no week of the road.
    public let besides: [Stop]

    public init(stops: [Stop] = [], besides: [Stop] = []) {
        self.stops = stops
        self.besides = besides
    }
}
