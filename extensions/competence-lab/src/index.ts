/** The plugin: the panel, its commands, and nothing else. */
import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Actions } from './actions.js';
import { Api } from './api.js';
import { localeOf } from './dates.js';
import { trainingIcon } from './icons.js';
import { Model } from './model.js';
import { TrainingPanel } from './panel.js';
import { LabWatch } from './watch.js';
import { writeNumbers } from './words.js';

const SHOWN = 'bioskills-lab:shown';
const LAYOUT_KEPT_MS = 5_000;

const plugin: JupyterFrontEndPlugin<void> = {
  id: '@bioskills/lab:training',
  description: 'The panel My training.',
  autoStart: true,
  optional: [ITranslator, ILayoutRestorer, ICommandPalette, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    labShell: ILabShell | null
  ) => {
    const language = (translator ?? nullTranslator).languageCode;
    const trans = (translator ?? nullTranslator).load('bioskills_lab');
    const locale = localeOf(language);
    writeNumbers(locale);
    const model = new Model(new Api(app.serviceManager.serverSettings, trans, language.replace('_', '-')), trans);
    const actions = new Actions(app, model, locale);
    const watch = new LabWatch(model.api, trans, locale, () => void app.commands.execute('bioskills-lab:show'));
    watch.attach(app);
    const panel = new TrainingPanel({ model, actions, watch, locale });
    app.shell.add(panel, 'left', { rank: 50 });
    restorer?.add(panel, 'bioskills-training');

    app.commands.addCommand('bioskills-lab:show', {
      label: trans.__('Show My training'),
      icon: trainingIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(panel.id)
    });
    app.commands.addCommand('bioskills-lab:refresh', {
      label: trans.__('Refresh My training'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => model.refresh()
    });
    for (const command of ['bioskills-lab:show', 'bioskills-lab:refresh']) {
      palette?.addItem({ command, category: trans.__('BioSkills') });
    }
    void app.restored.then(() => {
      // The first time, the panel comes forward by itself; later the layout is the learner's.
      if (labShell && !window.localStorage.getItem(SHOWN)) {
        app.shell.activateById(panel.id);
        // Lab keeps its layout a second after it changed: who leaves sooner meets the panel again.
        window.setTimeout(() => window.localStorage.setItem(SHOWN, '1'), LAYOUT_KEPT_MS);
      }
      void model.refresh();
      void watch.look();
    });
    panel.disposed.connect(() => {
      model.dispose();
      watch.dispose();
    });
  }
};

export default plugin;
