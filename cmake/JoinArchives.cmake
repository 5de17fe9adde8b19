# cmake -DAR=ar -DOUT=archive -P JoinArchives.cmake ARCHIVE...: one archive with all that is in several, by ar's own
# script language. Members keep their names, of which some are the same; "addlib" minds that. The language knows no
# quotes, so that all is done by bare names in the folder of the new archive.
get_filename_component(folder ${OUT} DIRECTORY)
set(script "create joined.tmp\n")
file(MAKE_DIRECTORY "${folder}/parts")
# 0 to 4: cmake and its options.
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE 5 ${last})
    set(archive ${CMAKE_ARGV${index}})
    get_filename_component(part ${archive} NAME)
    file(COPY ${archive} DESTINATION "${folder}/parts")
    string(APPEND script "addlib parts/${part}\n")
endforeach()
string(APPEND script "save\nend\n")
file(WRITE ${folder}/join.mri "${script}")
execute_process(
    COMMAND ${AR} -M
    INPUT_FILE ${folder}/join.mri
    WORKING_DIRECTORY ${folder}
    RESULT_VARIABLE result
)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${AR} could not make ${OUT}: ${result}")
endif()
file(RENAME ${folder}/joined.tmp ${OUT})
