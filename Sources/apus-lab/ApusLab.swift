import ArgumentParser
@main struct ApusLab: ParsableCommand {}
