// The figures that the alarms watch, on one page.

@description('Required. Region.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Required. Where the queries run.')
param workspaceId string

@description('Required. The page, see workbook.json.')
param content string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'data-protection')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Data protection'
    category: 'workbook'
    sourceId: workspaceId
    version: 'Notebook/1.0'
    serializedData: content
  }
}
