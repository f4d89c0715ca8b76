/// A person of the story.
public struct StoryCharacter: Hashable, Sendable {
    public let id: CharacterID
    public let name: String
    public let role: String
    /// One of the terminal's colour names, for the name tag; nil means the default.
    public let colour: String?
    public let about: String

    public init(id: CharacterID, name: String, role: String, colour: String? = nil, about: String = "") {
        self.id = id
        self.name = name
        self.role = role
        self.colour = colour
        self.about = about
    }
}
