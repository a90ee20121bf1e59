"""What is to be checked: case files, the drawing of inputs, and the names of cases and layers."""
