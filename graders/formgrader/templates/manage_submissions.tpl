{%- extends 'nbgrader/manage_submissions.tpl' -%}

{%- block messages -%}
<div class="panel panel-default"><div class="panel-body">
<p>{{ words.how }}</p>
<p><button type="button" class="btn btn-default" id="autograde-all">{{ words.all }}</button> <span id="autograde-said" role="status"></span></p>
</div></div>
{%- endblock -%}
