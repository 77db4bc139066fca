"""What keeps the code good: checks, mutants, Node.js, the build, bills of material. Nothing here ships."""
