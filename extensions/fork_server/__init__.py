"""Fork labs and kernels from warm parents, each as its own user behind its own walls.

Law: knows nothing of training and imports nothing of ours; the standard library
alone, but for what a warm parent serves. The only part that holds privilege.
"""
