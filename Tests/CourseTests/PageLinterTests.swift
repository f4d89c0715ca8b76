import Course
import CourseModel
import Foundation
import Testing

@Suite("Page linter", .timeLimit(.minutes(5)))
struct PageLinterTests {
    private static let page = "Content/weeks/week01/pages/first.page"
    private static let header = "version: 1\npage: first\nweek: week01\ntitle: First\n---\n"

    private func course(_ text: String) throws -> ScratchCourse {
        let course = try ScratchCourse()
        try course.change(ScratchCourse.week, "labs: [week01]", "labs: [week01]\npages: [first]")
        try course.write(Self.page, text)
        return course
    }

    @Test("a page is read in its blocks, and indented lines go on with the one above")
    func blocks() throws {
        let course = try course(
            Self.header + """
                # Heading
                One paragraph
                on two lines.

                Another one.
                - a bullet
                  goes on
                - a second
                | ┌──┐
                | └──┘
                $ kubectl get pods
                > ana: So
                  it is.
                ? why: Why
                  indeed?
                = Because
                  it is so.
                <<metrics>>
                ===
                """)
        #expect(course.lint() == [])
        let page = try #require(try CourseLoader(root: course.root).load().page("first"))
        #expect(
            page.blocks == [
                .heading("Heading"), .paragraph("One paragraph on two lines."), .paragraph("Another one."),
                .bullet("a bullet goes on"), .bullet("a second"), .figure(["┌──┐", "└──┘"]),
                .command("kubectl get pods"), .quote(speaker: "ana", text: "So it is."),
                .question(PageQuestion(id: "why", text: "Why indeed?", reply: "Because it is so.")), .metrics,
            ])
    }

    static let faults: [(text: String, says: String)] = [
        (
            header + "| " + String(repeating: "x", count: 80) + "\n===",
            """
            \(page):6:79: error: this line of the figure is 80 columns wide, and 76 fit on a screen of 80
                hint: Draw it narrower.
            """
        ),
        (
            header + "> anna: So.\nText\n===",
            """
            \(page):6:1: error: nobody in Content/characters.yaml says this
                hint: Did you mean 'ana'?
            """
        ),
        (
            header + "? why: Why?\n? why: Why?\n===",
            """
            \(page):7:1: error: the question 'why' is there already, at \(page):6:1
                hint: Give it another id.
            """
        ),
        (
            header + "Text\n= A reply\n===",
            """
            \(page):7:1: error: this reply has no question
                hint: Write '? id: question' above it.
            """
        ),
        (
            header + "<<metric>>\nText\n===",
            """
            \(page):6:1: error: there is no command '<<metric>>' on a page
                hint: There is only '<<metrics>>'.
            """
        ),
        (
            header + "Text\n",
            """
            \(page):7:1: error: the page does not end
                hint: Write '===' as the last line.
            """
        ),
        (
            header.replacing("title", with: "titel") + "Text\n===",
            """
            \(page):1:1: error: the page needs 'title' in its header
                hint: Write 'title: …' above '---'.
            """
        ),
        (
            header.replacing("week01", with: "week02") + "Text\n===",
            """
            \(page):1:1: error: the page says week 'week02', but stands in that of 'week01'
                hint: Write 'week: week01'.
            """
        ),
    ]

    @Test("a fault in a page is named with its place", arguments: faults)
    func fault(text: String, says: String) throws {
        let found = try course(text).lint()
        #expect(found.contains(says), "\(found)")
    }

    @Test("a page that no week lists, and one that is listed and missing, are named")
    func listing() throws {
        let unlisted = try ScratchCourse()
        try unlisted.write(Self.page, Self.header + "Text\n===")
        #expect(
            unlisted.lint() == [
                """
                \(Self.page):1:1: error: no week lists the page 'first'
                    hint: Add it to 'pages' in its week.yaml.
                """
            ])
        let missing = try ScratchCourse()
        try missing.change(ScratchCourse.week, "labs: [week01]", "labs: [week01]\npages: [first]")
        #expect(
            missing.lint() == [
                """
                \(ScratchCourse.week):11:1: error: there is no page 'first'
                    hint: Write it into 'Content/weeks/week01/pages'.
                """
            ])
    }

    @Test("the map lists every week once, from 1 on")
    func map() throws {
        let course = try ScratchCourse()
        try course.write("Content/map.yaml", "version: 1\nweeks: [{number: 1, title: One}, {number: 3}]\n")
        #expect(
            course.lint() == [
                """
                Content/map.yaml:2:1: error: the map's weeks are not in order: 3 stands at place 2
                    hint: List every week once, from 1 on.
                """
            ])
        try course.write("Content/map.yaml", "version: 1\nweeks: [{number: 1, title: One}, {number: 2}]\n")
        #expect(try CourseLoader(root: course.root).load().map.stops.map(\.title) == ["One", nil])
    }

    @Test("the authors' guide lists every fact with its stand-in")
    func facts() throws {
        let guide = try String(contentsOfFile: "\(repositoryRoot)/Content/README.md", encoding: .utf8)
        for variable in SceneVariable.allCases {
            #expect(guide.contains("| `$\(variable.rawValue)` | \(variable.about) | \(variable.standIn) |"))
        }
    }
}
