/// Converts names that look the same to one form. The caller provides Unicode's compatibility forms, because the standard library
/// does not have them.
package struct NameFolding: Sendable {
    private let fold: @Sendable (String) -> String

    /// Creates a folding from a function. For the same name, the function must always return the same form.
    package init(_ fold: @escaping @Sendable (String) -> String) { self.fold = fold }

    func callAsFunction(_ name: String) -> String { fold(name) }
}
