# SPDX-License-Identifier: MIT
#
# boot.gp DATA SVG CONTENDERS COLUMNS: instructions by the kernel's size; behind
# the contenders' columns come those of the limits, which are dashed.

set terminal svg size 800,500 font "sans-serif,13" background "white"
set output ARG2
set datafile missing "?"
set logscale xy
set xlabel "kernel, MiB"
set ylabel "million instructions from the first sector to the kernel"
set format y "%.10g"
set xtics ("1/16" 0.0625, "1/4" 0.25, "1" 1, "8" 8, "32" 32, "128" 128)
set key outside right
set grid
set xrange [0.05:160]
contenders = int(ARG3)
columns = int(ARG4)
plot for [i = 1:contenders] ARG1 using 1:i+1 with linespoints linewidth 2 pointtype 7 pointsize 0.5 title columnheader(i+1), \
	for [i = contenders+1:columns] ARG1 using 1:i+1 with lines dashtype i-contenders+1 linewidth 2 linecolor rgb "gray40" title columnheader(i+1)
