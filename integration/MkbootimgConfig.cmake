# SPDX-License-Identifier: MIT
#
# For CMake: find_package(Mkbootimg), then
#
#	add_executable(kernel ...)	and how it is linked, as always
#	target_link_libraries(kernel PRIVATE Mkbootimg::headers)	for mkbootimg.h
#	mkbootimg_add_image(kernel)
#	mkbootimg_add_test(a-test)	for CTest: a kernel that is a test
#
# mkbootimg_add_image(TARGET [OUTPUT FILE] [CMDLINE STRING] [MODULES FILE[=NAME]...]
#	[OPTIONS OPTION...] [RUN_OPTIONS OPTION...] [DEBUG_OPTIONS OPTION...]
#	[QEMU_ARGS ARG...] [TESTS TARGET...] [TEST_OPTIONS OPTION...])
# adds the targets TARGET-image, which is built by default, TARGET-run, TARGET-test (of
# TESTS, or else of TARGET itself) and TARGET-debug.  OPTIONS are of mkbootimg build.
#
# mkbootimg_add_test(TARGET [OPTIONS OPTION...]): OPTIONS are of mkbootimg test.

get_filename_component(_mkbootimg_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
find_program(MKBOOTIMG_EXECUTABLE mkbootimg HINTS "${_mkbootimg_prefix}/bin")
find_path(MKBOOTIMG_INCLUDE_DIR mkbootimg.h HINTS "${_mkbootimg_prefix}/include")
mark_as_advanced(MKBOOTIMG_EXECUTABLE MKBOOTIMG_INCLUDE_DIR)
if(NOT MKBOOTIMG_EXECUTABLE OR NOT MKBOOTIMG_INCLUDE_DIR)
	set(Mkbootimg_FOUND FALSE)
	set(Mkbootimg_NOT_FOUND_MESSAGE "mkbootimg or mkbootimg.h is missing below ${_mkbootimg_prefix}")
	return()
endif()
if(NOT TARGET Mkbootimg::headers)
	add_library(Mkbootimg::headers INTERFACE IMPORTED)
	set_target_properties(Mkbootimg::headers PROPERTIES
		INTERFACE_INCLUDE_DIRECTORIES "${MKBOOTIMG_INCLUDE_DIR}")
endif()

function(mkbootimg_add_image target)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT;CMDLINE"
		"MODULES;OPTIONS;RUN_OPTIONS;DEBUG_OPTIONS;QEMU_ARGS;TESTS;TEST_OPTIONS")
	if(arg_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "mkbootimg_add_image: what is '${arg_UNPARSED_ARGUMENTS}'?")
	endif()
	if(NOT arg_OUTPUT)
		set(arg_OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${target}.img")
	endif()
	get_filename_component(output "${arg_OUTPUT}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
	if(NOT arg_TESTS)
		set(arg_TESTS ${target})
	endif()

	set(plan)
	set(files)
	if(DEFINED arg_CMDLINE)
		list(APPEND plan --cmdline "${arg_CMDLINE}")
	endif()
	foreach(module IN LISTS arg_MODULES)
		list(APPEND plan --module "${module}")
		string(REGEX REPLACE "=[^=]*$" "" file "${module}")
		get_filename_component(file "${file}" ABSOLUTE)
		list(APPEND files "${file}")
	endforeach()
	list(APPEND plan ${arg_OPTIONS})
	set(tests)
	foreach(test IN LISTS arg_TESTS)
		list(APPEND tests "$<TARGET_FILE:${test}>")
	endforeach()

	# In the source directory, where mkbootimg.conf and the modules are.
	set(here WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" VERBATIM)
	if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/mkbootimg.conf")
		list(APPEND files "${CMAKE_CURRENT_SOURCE_DIR}/mkbootimg.conf")
	endif()
	add_custom_command(OUTPUT "${output}"
		COMMAND "${MKBOOTIMG_EXECUTABLE}" build --quiet ${plan} -o "${output}" "$<TARGET_FILE:${target}>"
		DEPENDS ${target} "$<TARGET_FILE:${target}>" "${MKBOOTIMG_EXECUTABLE}" ${files}
		COMMENT "Making the image ${output}" ${here})
	add_custom_target(${target}-image ALL DEPENDS "${output}")
	add_custom_target(${target}-run
		COMMAND "${MKBOOTIMG_EXECUTABLE}" run ${plan} ${arg_RUN_OPTIONS} "$<TARGET_FILE:${target}>" ${arg_QEMU_ARGS}
		DEPENDS ${target} USES_TERMINAL ${here})
	add_custom_target(${target}-test
		COMMAND "${MKBOOTIMG_EXECUTABLE}" test ${plan} ${arg_TEST_OPTIONS} ${tests}
		DEPENDS ${arg_TESTS} USES_TERMINAL ${here})
	add_custom_target(${target}-debug
		COMMAND "${MKBOOTIMG_EXECUTABLE}" debug ${plan} ${arg_DEBUG_OPTIONS} "$<TARGET_FILE:${target}>" ${arg_QEMU_ARGS}
		DEPENDS ${target} USES_TERMINAL ${here})
endfunction()

function(mkbootimg_add_test target)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "OPTIONS")
	add_test(NAME ${target}
		COMMAND "${MKBOOTIMG_EXECUTABLE}" test ${arg_OPTIONS} "$<TARGET_FILE:${target}>"
		WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
endfunction()
