# Compiler flags live on one INTERFACE target that every room links privately; nothing is set globally but the language
# level and the build types.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")  # assertions stay on: what they guard must never happen, not even once
set(CMAKE_CXX_FLAGS_DEV "-Og -g1 -D_GLIBCXX_ASSERTIONS")  # an empty optional or an index out of range aborts
set(CMAKE_C_FLAGS_DEV "-Og -g1")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(HERMES_SANITIZE "" CACHE STRING "Sanitizers for every program but the static shim, e.g. address,undefined")
option(HERMES_FUZZ "Build the fuzzers of tests/fuzz, which takes clang, and record which branches an input takes" OFF)

add_library(hermes_standard INTERFACE)
target_compile_options(hermes_standard INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -Wno-missing-field-initializers  # designated initialisers name what they set; the rest has its default
  # False alarms of g++ 12 at -O2 in std::optional inside std::variant and in std::string's operator+.
  "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds>"
  # libstdc++ 12's own std::stable_sort calls what libstdc++ declares deprecated; g++ still warns about ours.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  -Werror
  # The text of a failed assertion names its file from here on; no installed program carries the path of a build.
  "$<$<CONFIG:Release>:-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=;-fmacro-prefix-map=${CMAKE_BINARY_DIR}/=>")
if(HERMES_SANITIZE)
  target_compile_options(hermes_standard INTERFACE -fsanitize=${HERMES_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(hermes_standard INTERFACE -fsanitize=${HERMES_SANITIZE})
  if(NOT HERMES_FUZZ)
    # Into every program, for a test gives the programs that it starts an environment without options for a sanitizer.
    configure_file(${CMAKE_CURRENT_LIST_DIR}/sanitizer_options.cpp.in ${CMAKE_BINARY_DIR}/sanitizer_options.cpp @ONLY)
    target_sources(hermes_standard INTERFACE
      $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${CMAKE_BINARY_DIR}/sanitizer_options.cpp>)
  endif()
  if(HERMES_SANITIZE STREQUAL thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # Asio's reference counts end in fences, which TSan does not see; the dispatcher has one thread, so none is needed.
    target_compile_options(hermes_standard INTERFACE -Wno-tsan)
  endif()
endif()
if(HERMES_FUZZ)
  target_compile_options(hermes_standard INTERFACE -fsanitize=fuzzer-no-link)
endif()
