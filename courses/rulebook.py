"""The rules of a course, as one list.

Law: this is the only place that says which rules exist, in which order they
are told and how a breach is repaired. A rule without a check is judged by a
trial run.
"""

from bioskills.courses import (
    assignment_rules,
    data_rules,
    isolation_rules,
    mapping_rules,
    notebook_rules,
    release_check,
    structure_rules,
    widget_rules,
)
from bioskills.courses.rules import Rule


def N_(message: str) -> str:  # noqa: N802 - gettext's name for a string translated later
    """Mark a string for translation where it is written; `_()` translates where it is shown."""
    return message


RULES: tuple[Rule, ...] = (
    Rule(
        "L01",
        N_("Every file of the course can be read and has its form"),
        N_("Correct the named key or line."),
        check=structure_rules.readable,
    ),
    Rule(
        "L02",
        N_("Every lesson has one question, 2 to 5 objectives and key points"),
        N_("Write what the learner can be seen doing afterwards."),
        check=structure_rules.lessons_described,
    ),
    Rule(
        "L03",
        N_("Lesson minutes fit the course hours within 20 %"),
        N_("Correct the minutes or the hours in course.yml."),
        "warning",
        structure_rules.minutes_fit_hours,
    ),
    Rule(
        "L04",
        N_("The mapping names cells and outcomes that exist"),
        N_("Correct competence.yaml."),
        check=mapping_rules.mapping_sound,
    ),
    Rule(
        "L05",
        N_("course.yml, competence.yaml and the grade cells say the same"),
        N_("Correct the one that is wrong."),
        check=mapping_rules.mapping_agrees,
    ),
    Rule(
        "L06",
        N_("Ids are unique"),
        N_("Give every part its own id."),
        check=structure_rules.ids_unique,
    ),
    Rule(
        "L07",
        N_("Files and course.yml agree"),
        N_("Correct course.yml, or add or remove the file."),
        check=structure_rules.files_agree,
    ),
    Rule(
        "L08",
        N_("A course holds the files a course has, and no others"),
        N_("Add the file."),
        check=structure_rules.files_present,
    ),
    Rule(
        "L09",
        N_("Hours and outcomes of units fit the course"),
        N_("Correct units in course.yml."),
        check=structure_rules.unit_hours_and_outcomes,
    ),
    Rule(
        "L10",
        N_("Notebooks have format 4.5 and unique cell ids; grade ids are unique in the course"),
        N_("Give the cell its own id; a copied cell keeps the old one."),
        check=notebook_rules.ids,
    ),
    Rule(
        "L11",
        N_("No output and no execution count is stored"),
        N_("In Jupyter: Edit, Clear Outputs of All Cells; then save."),
        check=notebook_rules.no_outputs,
    ),
    Rule(
        "L12",
        N_("Lessons run without network, twice with the same result"),
        N_("Run the lesson from top to bottom in a fresh kernel and repair the named cell."),
    ),
    Rule(
        "L13",
        N_("Code uses no absolute path, no network and installs nothing"),
        N_("Use a path below the course folder; name packages under requires in course.yml."),
        check=notebook_rules.code_stays_inside,
    ),
    Rule(
        "L14",
        N_("One first-level heading, no level skipped"),
        N_("Correct the number of # signs."),
        check=notebook_rules.headings_in_order,
    ),
    Rule(
        "L15",
        N_("Every picture is described in 15 characters or more"),
        N_("Write between ![ and ] what the picture shows."),
        check=notebook_rules.images_described,
    ),
    Rule(
        "L16",
        N_("Learners act at least every three text cells"),
        N_("Add a question, a code cell or a self-check."),
        "warning",
        notebook_rules.learner_acts_often,
    ),
    Rule(
        "L18",
        N_("Pictures and links lead to a file of the course"),
        N_("Correct the path; it starts at the notebook's own folder."),
        check=notebook_rules.links_lead_somewhere,
    ),
    Rule(
        "L19",
        N_("Notebooks use the kernel python3"),
        N_("In Jupyter: Kernel, Change Kernel; then save."),
        check=notebook_rules.kernel_named,
    ),
    Rule(
        "L20",
        N_("The solution gets every automatic point"),
        N_("Correct the solution or the test of the named cell."),
    ),
    Rule(
        "L21",
        N_("Empty work gets no automatic point"),
        N_("Add a test that the empty cell cannot pass."),
    ),
    Rule(
        "L22",
        N_("Every wrong answer fails exactly its cells, at the test that is meant to stop it"),
        N_("Correct the variant, or add the test that stops it."),
        check=assignment_rules.variants_fit,
    ),
    Rule(
        "L22w",
        N_("Every hidden test stops a wrong answer that the visible tests let pass"),
        N_("Add a wrong answer to variants/ that this test is the first to stop."),
        "warning",
    ),
    Rule(
        "L23",
        N_("Marks of solutions and hidden tests come in pairs, and only in assignments"),
        N_("Add the missing mark, or take the marks out."),
        check=notebook_rules.marks_balanced,
    ),
    Rule(
        "L24",
        N_("Nothing learners get holds a hidden test or a solution"),
        N_("Rewrite or remove the named line."),
        check=release_check.leaks,
    ),
    Rule(
        "L24w",
        N_("Lessons do not repeat a line of a solution"),
        N_("Use another example, unless the line is the idiom you teach."),
        "warning",
        release_check.material_echoes,
    ),
    Rule(
        "L25",
        N_("Every test cell has visible and hidden tests, each with id and label, and three hints"),
        N_("Complete the test cell or grading/<assignment>.yml."),
        check=assignment_rules.tests_labelled,
    ),
    Rule(
        "L26",
        N_("Every assertion has a message, and no message holds the answer"),
        N_('Write: assert ..., "[id] the kind of input that failed".'),
        check=assignment_rules.assertions_have_messages,
    ),
    Rule(
        "L27",
        N_("Points add up, and every answer has its solution"),
        N_("Correct the points or mark the solution."),
        check=assignment_rules.points_and_answers,
    ),
    Rule(
        "L28",
        N_("Grading the same work twice gives the same points"),
        N_("Fix the seed, or compare with a tolerance."),
    ),
    Rule(
        "L29",
        N_("Every cell that a person grades has a rubric from 0 to its points"),
        N_("Write the rubric in grading/<assignment>.yml."),
        check=assignment_rules.rubrics_complete,
    ),
    Rule(
        "L30",
        N_("Every data file is listed with hash and an allowed licence"),
        N_("Correct data.yml."),
        check=data_rules.data_listed_and_licensed,
    ),
    Rule(
        "L31",
        N_("No data file above 2 MB, no course above 10 MB of data"),
        N_("Cut the data down; say so under changes."),
        check=data_rules.data_small,
    ),
    Rule(
        "L32",
        N_("Every notebook names authors and licence"),
        N_("Add authors and license to the notebook's metadata."),
        "warning",
        notebook_rules.authors_and_licence,
    ),
    Rule(
        "L33",
        N_("No mail address of a person stands in a notebook"),
        N_("Use an address of the domain example.org."),
        check=data_rules.no_personal_data,
    ),
    Rule(
        "L34",
        N_("The outcomes shown beside a cell are the ones it counts for"),
        N_("Correct outcomes in grading/<assignment>.yml."),
        check=mapping_rules.notes_name_mapped_outcomes,
    ),
    Rule(
        "L35",
        N_("The course alone has enough tasks for its outcomes"),
        N_("Add a task, or leave it to another course of the unit."),
        "warning",
        mapping_rules.mapping_enough,
    ),
    Rule(
        "L36",
        N_("An outcome that explains or compares is not reached by automatic cells alone"),
        N_("Give more weight to the cell that a person grades."),
        check=mapping_rules.reasons_weigh_enough,
    ),
    Rule(
        "L37",
        N_("nbgrader makes a release of every assignment and grades it"),
        N_("Open the assignment in nbgrader and read its message."),
    ),
    Rule(
        "L38",
        N_("Tests of an isolated assignment need plain data and functions alone"),
        N_("Let the answer be a function that returns plain data, or leave out isolated: true."),
        check=isolation_rules.answers_cross_as_data,
    ),
    Rule(
        "L40",
        N_("Every control of an interactive has a label, and a static form stands beside it"),
        N_("Pass description=...; add a picture or table, or tag a cell static-fallback."),
        check=widget_rules.labelled_with_fallback,
    ),
    Rule(
        "L41",
        N_("The campus shows the framework that the mapping speaks of"),
        N_("Name that framework, or know that the evidence is kept and shown nowhere yet."),
        "warning",
        mapping_rules.framework_shown,
    ),
)


def rule(rule_id: str) -> Rule:
    """Return the rule of this id; KeyError where there is none."""
    return {each.id: each for each in RULES}[rule_id]
