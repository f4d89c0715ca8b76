import CourseModel

/// Reads the pages of all weeks and holds them against what the weeks list.
struct PageReader {
    let files: CourseFiles
    let characters: [StoryCharacter]
    let diagnostics: Diagnostics
    private(set) var pages: [ReadingPage] = []
    private var places: [PageID: SourcePlace] = [:]
    private var questions: [QuestionID: SourcePlace] = [:]

    init(files: CourseFiles, characters: [StoryCharacter], diagnostics: Diagnostics) {
        self.files = files
        self.characters = characters
        self.diagnostics = diagnostics
    }

    mutating func read(week: String) {
        for name in files.names(in: "Content/weeks/\(week)/pages") where name.hasSuffix(".page") {
            let path = "Content/weeks/\(week)/pages/\(name)"
            var parser = PageParser(
                file: path, characters: characters, questions: questions, diagnostics: diagnostics)
            let page = parser.parse(files.text(path) ?? "")
            questions = parser.questions
            if let first = places[page.id] {
                diagnostics.error(
                    SourcePlace(file: path), "the page '\(page.id)' is there already, in \(first.file)",
                    hint: "Give it another id.")
            }
            if page.week.rawValue != week, !page.week.rawValue.isEmpty {
                diagnostics.error(
                    SourcePlace(file: path), "the page says week '\(page.week)', but stands in that of '\(week)'",
                    hint: "Write 'week: \(week)'.")
            }
            places[page.id] = SourcePlace(file: path)
            pages.append(page)
        }
    }

    func check(_ week: Week, _ fields: Fields) {
        for page in week.pages where !pages.contains(where: { $0.id == page }) {
            diagnostics.error(
                fields.place(of: "pages"), "there is no page '\(page)'",
                hint: suggestion(for: page.rawValue, among: pages.map(\.id.rawValue))
                    ?? "Write it into 'Content/weeks/\(week.id)/pages'.")
        }
    }

    func checkAllListed(in weeks: [Week]) {
        for page in pages where !weeks.contains(where: { $0.pages.contains(page.id) }) {
            diagnostics.error(
                places[page.id] ?? SourcePlace(file: "Content"), "no week lists the page '\(page.id)'",
                hint: "Add it to 'pages' in its week.yaml.")
        }
    }
}
